"""Training: one frozen config in, one run folder out.

    config         TrainConfig: everything that decides the result of a run
    contradictions  options that do not go together
    data           which images are learned from, which are evaluated on, what is wrong with them
    enough         whether every class has enough images
    initialize     the network a run begins with: weights, classifier, optimizer
    kernels        quicker layers for a CPU's training step
    classifier_training  the classifier alone, on features computed once
    augment        crops, flips, colours, RandAugment, mixup, cutmix
    unlabelled     images that a teacher alone teaches
    teacher        another network's scores, and find_teacher, which opens what --teacher names
    distillation   the loss of a run with a teacher
    image_sizes    images that grow: side, batch and strength of each epoch
    sized_network  the network of a run at another image size
    schedule       learning rate and moving-average decay as functions of the step
    epochs         the loop over epochs and steps
    trainer_state  where a run stands, in numbers
    checkpointing  best.h5 and last.state
    history        history.csv and curves.png
    run_folder     a run and its folder, and when it cannot be resumed
    follow_up      a run that goes on from another one with more images
    result         what a run came to
    trainer        the whole of it, for the command and for Python

Everything random derives from (seed, epoch, index in the data set) or is stored with the state,
so a run that was killed and resumed ends where an uninterrupted one does. The step itself is
Keras's own and runs on any Keras backend.
"""
