"""The images of a training run.

lists       which are learned from, which are evaluated on, what is wrong with them
enough      whether every class has enough of them
unlabelled  images that a teacher alone teaches
augment     crops, flips, colours, RandAugment, mixup, cutmix
"""
