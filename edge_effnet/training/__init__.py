"""Training: one frozen config in, one run folder out.

    config         TrainConfig: everything that decides the result of a run
    data           the images: learned from, evaluated on, enough of them or not
    initialize     the network a run begins with: weights, classifier, optimizer
    kernels        quicker layers for a CPU's training step
    classifier_training  the classifier alone, on features computed once
    augment        crops, flips, colours, RandAugment, mixup, cutmix
    schedule       learning rate and moving-average decay as functions of the step
    epochs         the loop over epochs and steps
    run_folder     the run on disk: its state, best weights, history and result
    follow_up      a run that goes on from another one with more images
    trainer        the whole of it, for the command and for Python

Everything random derives from (seed, epoch, index in the data set) or is stored with the state,
so a run that was killed and resumed ends where an uninterrupted one does. The step itself is
Keras's own and runs on any Keras backend.
"""
