"""What is measured, each in a fresh process of its own, see :mod:`bench.child`.

A module has one function, ``prepare(job)``: it does what is not measured (imports, connections) and returns the
function that is, which returns how many rows or objects it has done. Those of them that import a package of
requirements-bench.txt run in that environment, and therefore import nothing of the project.
"""
