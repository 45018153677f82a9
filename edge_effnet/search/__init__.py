"""Compound coefficients for a data set: the grid of EfficientNet's paper, under a budget.

config   what a search is told
points   the networks: a grid of coefficients, brought to equal cost
images   images to learn from, to choose on, to confirm on
setup    everything before the first trial
halving  which trials go on
trial    one training
confirm  a trained network on the images that nothing was chosen on
pace     how long the rest takes
workers  trials in processes of their own, on this machine or many
run      the search itself
outcome  what it came to: figures with intervals, JSON, plots, tables

A trial is an independent call of ``trial.run_trial`` with a folder of its own, in a process of its
own on one core.
"""
