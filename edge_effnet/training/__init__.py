"""Training: one frozen config in, one run folder out.

    config         TrainConfig: everything that decides the result of a run
    contradictions  options that do not go together
    data           the images: learned from, evaluated on, enough of them or not, and augmented
    initialize     the network a run begins with: weights, classifier, optimizer
    classifier_training  the classifier alone, on features computed once
    steps          one training step, its quicker layers, its learning rate
    teacher        another network's scores, and the loss of a run that learns from them
    image_sizes    images that grow: side, batch and strength of each epoch
    epochs         the loop over epochs and steps
    cluster        the workers of a group: who they are, what each computes, the run on Ray
    run_folder     the run on disk: its state, best weights, history and result
    follow_up      a run that goes on from another one with more images
    execution      what a new run and a resumed one have in common
    trainer        the whole of it, for the command and for Python

Everything random derives from (seed, epoch, index in the data set) or is stored with the state,
so a run that was killed and resumed ends where an uninterrupted one does. On backends other than
TensorFlow the step is Keras's own.
"""
