"""The watch: what happens on a server that somebody must look at, seen by the server itself.

It runs from a timer as root, and remembers everything in one file, so that an event and the place
in the journal where it was read move together: none is lost, and none is seen twice.
"""
