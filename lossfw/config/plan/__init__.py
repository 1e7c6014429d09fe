"""From a checked configuration to a plan, a training or a study."""
