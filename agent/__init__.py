"""What runs on a lab host for the grader: it observes, makes experiments, traces, captures and watches.

`checker/remote.ts` sends the modules that a program needs as text, and starts them as `python3 -ISB` (3.10 or newer,
standard library only) at the grader's seat, as root, in the lab host's own network namespace. Nothing is written to the
lab host's disk. A program is a module with a function `main(parameters)`: facts, experiments, trace, capture, watch.

What a program reads is cut at a limit and quoted as JSON. Nothing of it is judged here.
"""
