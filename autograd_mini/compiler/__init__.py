"""The compiler: a function written in scalars, recovered as the matrix program that an expert would have written."""

from autograd_mini.compiler.api import compile
from autograd_mini.compiler.expression import CompiledFunction
from autograd_mini.compiler.step import CompiledStep

__all__ = ["CompiledFunction", "CompiledStep", "compile"]
