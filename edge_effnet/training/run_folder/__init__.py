"""A training run on disk.

files          a run and its folder, and when it cannot be resumed
trainer_state  where a run stands, in numbers
checkpointing  best.h5 and last.state
history        history.csv and curves.png
result         what a run came to
"""
