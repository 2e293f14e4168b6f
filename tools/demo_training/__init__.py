"""How the example recognisers are trained: sentences, synthetic speech, loss and loop.

`sentences` says what is spoken and `voices` by whom; `speech` has espeak-ng speak it, `disturb` adds what a
room and a microphone add, and `corpus` makes features of it. `loss` is the transducer's, `batches` and `loop`
train with it, `recognise` measures words. `tools/train_demo.py` is the command.
"""
