"""The images of a training run.

lists    which are learned from, which are evaluated on, what is wrong with them
enough   whether every class has enough of them
augment  crops, flips, colours, RandAugment, mixup, cutmix
"""
