"""Training: one frozen config in, one run folder out.

    config       TrainConfig: everything that decides the result of a run, as JSON too
    schedule     learning rate and moving-average decay as functions of the step
    augment      OpenCV and NumPy: crops, flips, colours, RandAugment, mixup, cutmix
    data         which pictures are learned, which are held out, and what is wrong with them
    start        the network a run begins with: weights, classifier, optimizer
    head         the classifier alone, on features computed once
    state        what a killed run needs to go on, written whole or not at all
    loop         epochs and steps
    report       history.csv, curves.png
    run          the whole of it, for the command and for Python

Everything random derives from (seed, epoch, place in the data set) or is stored with the state,
so a run that was killed and resumed ends where an uninterrupted one does. The step itself is
Keras's own and runs on any Keras backend.
"""
