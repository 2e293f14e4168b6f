"""A graph as people look at it, as data: a summary, layers, a neighbourhood, a drawing, what a type means.

Each module answers one question and prints nothing; the command line turns the answers into tables and json.
"""
