"""What controls look like: shared by those that look the same, and by nothing that changes it."""

import ipywidgets as widgets
import pytest
from comm.base_comm import CommManager

import astria_nb as anb
from astria_nb.form.fields import controls
from helpers.form_widgets import descendants


def test_controls_that_look_the_same_share_it():
    first, second, wide = (controls.Text(layout={"width": width}) for width in ("1px", "1px", "100%"))
    assert first.layout is second.layout
    assert first.style is wide.style
    assert wide.layout.width == "100%"


def test_what_is_shared_cannot_be_changed_for_one_and_what_is_its_own_can():
    first, second = controls.HTML(layout={"width": "3px"}), controls.HTML(layout=widgets.Layout())
    with pytest.raises(RuntimeError, match="display is shared by all controls"):
        first.layout.display = "none"
    second.layout.display = "none"
    assert controls.HTML().layout.display is None


def test_a_form_is_made_after_all_widgets_were_closed():
    controls.HTML(layout={"width": "2px"})
    widgets.Widget.close_all()
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(sandbox.client())
    assert all(child.layout.comm is not None for child in descendants(form))


def test_two_users_of_an_app_share_nothing(monkeypatch: pytest.MonkeyPatch):
    first = controls.HTML(layout={"width": "4px"})
    # An app's server gives each page a manager, which has the widgets of this page only.
    monkeypatch.setattr("comm.get_comm_manager", CommManager)
    second = controls.HTML(layout={"width": "4px"})
    assert first.layout is not second.layout
    assert second.layout.width == "4px"


def test_the_layout_of_a_form_is_its_own():
    with anb.Sandbox(deterministic=True) as sandbox:
        first, second = anb.TuneForm(sandbox.client()), anb.TuneForm(sandbox.client())
    first.layout.width = "50%"
    assert second.layout.width == "100%"
