"""The training images of the form."""

from astria_nb.form.images._control_names import naming_controls
from astria_nb.form.images._folders import file_name, without_folders
from astria_nb.form.images._image_field import ImageField
from astria_nb.form.images._inspect_bar import InspectBar
from astria_nb.form.images._preprocessing_switches import PreprocessingSwitches

__all__ = [
    "ImageField",
    "InspectBar",
    "PreprocessingSwitches",
    "file_name",
    "naming_controls",
    "without_folders",
]
