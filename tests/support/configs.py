"""Configurations by the name of a file, with overrides and plugins beside it."""

from lossfw.components.plugin_choice import Plugins
from lossfw.config.build import evaluation, resolved, sweep, training, validate
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource


def source(name, overrides=(), plugins=None):
    return ConfigSource(str(name), tuple(overrides), plugins or Plugins())


def read(*given):
    return read_config(source(*given))


def build(*given):
    return evaluation.build(source(*given))


def build_training(*given):
    return training.build_training(source(*given))


def resolve(*given):
    return resolved.resolve(source(*given))


def resolved_text(*given):
    return resolve(*given).text()


def expand(*given):
    return sweep.expand(read(*given))


def verdict_of(*given):
    return validate.validate(source(*given))
