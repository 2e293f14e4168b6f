"""Two small streaming transducers that recognise digits and commands, and what exports them.

`layers` has what both encoders are made of, `conv_emformer` and `lstm` are the encoders, `transducer` adds
decoder, joiner and search. `export` hands them to a trace.
"""
