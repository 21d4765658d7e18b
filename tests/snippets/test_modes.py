"""`snippets/modes.py`: evaluation mode inside, and the modes of before after it."""

import pytest
from torch import nn

from snippets.modes import evaluating


def test_evaluating_gives_each_module_its_mode_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.BatchNorm1d(2))
    model[1].eval()
    modes = [module.training for module in model.modules()]
    with pytest.raises(ZeroDivisionError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise ZeroDivisionError
    assert [module.training for module in model.modules()] == modes == [1, 1, 0, 1]
