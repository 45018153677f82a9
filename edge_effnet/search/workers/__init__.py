"""Trainings of a search in processes of their own, on this machine or many.

    job        what a worker is told, and what it answers
    work       one job, on whichever machine
    processes  jobs in processes on this machine
    on_ray     jobs as tasks of a Ray cluster
    driving    jobs to their ends: started, watched, started again, stopped

A job computes on one core wherever it runs, so that it comes to the same: sums over several threads
round in another order. The trainings of one stage of a search depend on nothing but the folder.
"""
