"""The step of a training run, and what is quick or common in it.

step           one step, of one worker or of many that sum their gradients
kernels        quicker layers for a CPU's training step, and normalization over all workers
shared_layers  layers that look at the batch of all workers
schedule       learning rate and moving-average decay as functions of the step
"""
