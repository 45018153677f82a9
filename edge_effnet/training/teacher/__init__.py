"""Learning from the scores of another network.

find_teacher  what --teacher names, opened
teacher       a teacher, its classes, and its scores for a run's images
distillation  the loss and the right answers of a run with a teacher
"""
