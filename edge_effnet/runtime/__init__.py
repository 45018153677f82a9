"""Running models: interpreter, tensors in and out, classifier, evaluation."""
