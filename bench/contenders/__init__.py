"""The contenders, each measured in a fresh process, see :mod:`bench.child`.

A module has one function, ``prepare(job)``: it does the work that is not measured (imports, connections) and returns
the function to measure, which returns the number of processed rows or objects. Contenders that import a package of
requirements-bench.txt run in that environment, and do not import the project.
"""
