"""Training: one frozen config in, one run folder out.

    config         TrainConfig: everything that decides the result of a run
    data           which images are learned from, which are evaluated on, what is wrong with them
    enough         whether every class has enough images
    initialize     the network a run begins with: weights, classifier, optimizer
    kernels        quicker layers for a CPU's training step, and normalization over all workers
    classifier_training  the classifier alone, on features computed once
    augment        crops, flips, colours, RandAugment, mixup, cutmix
    schedule       learning rate and moving-average decay as functions of the step
    step           one step, of one worker or of many that sum their gradients
    shared_layers  layers that look at the batch of all workers
    cluster        the workers of a group: who they are, what each computes, the run on Ray
    epochs         the loop over epochs and steps
    trainer_state  where a run stands, in numbers
    checkpointing  best.h5 and last.state
    history        history.csv and curves.png
    run_folder     a run and its folder, and when it cannot be resumed
    follow_up      a run that goes on from another one with more images
    result         what a run came to
    execution      what a new run and a resumed one have in common
    trainer        the whole of it, for the command and for Python

Everything random derives from (seed, epoch, index in the data set) or is stored with the state,
so a run that was killed and resumed ends where an uninterrupted one does. On backends other than
TensorFlow the step is Keras's own.
"""
