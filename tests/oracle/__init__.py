"""The real ncnn as the judge of ``.param`` texts, and mutations of real files to judge.

``oracle.py`` asks ncnn (through ``server.py``, one child process a file), ``mutate.py`` makes the files,
``ours.py`` asks this package the same question, ``compare.py`` sets the two side by side, and ``shrink.py``
cuts a failing file down to the words that matter.
"""
