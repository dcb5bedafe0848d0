"""Run a program and say what it took: `measure.py OUT COMMAND...` writes wall seconds, processor seconds and the most memory (KB) to OUT.

A Go test that starts the program itself would measure its own memory: the kernel counts what a process had before it became another program.
"""
import json
import resource
import subprocess
import sys
import time

before = resource.getrusage(resource.RUSAGE_CHILDREN)  # what started Python may have had children
start = time.perf_counter()
code = subprocess.run(sys.argv[2:]).returncode
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as f:
    json.dump({"wall": wall, "cpu": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, "memory": used.ru_maxrss}, f)
sys.exit(code)
