"""Neural networks built out of Values: every weight, bias and gradient stays a number you can look at."""

from nn.activations import ACTIVATIONS, activation_function, linear
from nn.data import Dataset, Split
from nn.initializers import INITIALIZERS, he, uniform, xavier, zeros
from nn.layers import MLP, Layer, Neuron
from nn.losses import LOSSES, binary_cross_entropy, cross_entropy, hinge, mean_squared_error, sum_squared_error
from nn.metrics import ClassScores, accuracy, class_table, confusion_matrix, confusion_table, per_class, predicted_class
from nn.module import Module
from nn.normalization import Normalization
from nn.optimizers import SGD
from nn.synthetic import DATASETS, blobs, circles, digits, moons, spirals, xor

__all__ = [
    "ACTIVATIONS",
    "DATASETS",
    "INITIALIZERS",
    "LOSSES",
    "MLP",
    "SGD",
    "ClassScores",
    "Dataset",
    "Layer",
    "Module",
    "Neuron",
    "Normalization",
    "Split",
    "accuracy",
    "activation_function",
    "binary_cross_entropy",
    "blobs",
    "circles",
    "class_table",
    "confusion_matrix",
    "confusion_table",
    "cross_entropy",
    "digits",
    "he",
    "hinge",
    "linear",
    "mean_squared_error",
    "moons",
    "per_class",
    "predicted_class",
    "spirals",
    "sum_squared_error",
    "uniform",
    "xavier",
    "xor",
    "zeros",
]
