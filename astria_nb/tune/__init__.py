"""A requested tune: its fields and their rules, its pack and price, the request and its body."""

from astria_nb.tune._address_remarks import address_remarks
from astria_nb.tune._body import Body, Encoding, OnSent
from astria_nb.tune._caption_remarks import caption_remarks
from astria_nb.tune._characteristics import SUGGESTIONS, WARNINGS
from astria_nb.tune._differences import Difference, differences
from astria_nb.tune._encoding import choose, encode, encode_inspection, in_quotes, pairs, parameters
from astria_nb.tune._field_names import SUBMIT_OPTIONS
from astria_nb.tune._folder_remarks import folder_remarks
from astria_nb.tune._opened import opened
from astria_nb.tune._pack import MC_PER_DOLLAR, Pack, PackPrompt, dollars, in_mc
from astria_nb.tune._pack_check import check_pack
from astria_nb.tune._price import Estimate, balance_text, estimate, problem_with_balance, problem_with_rise
from astria_nb.tune._request import ImageRecord, Request
from astria_nb.tune._signed_addresses import formerly_unsigned_addresses, unsigned_addresses
from astria_nb.tune._tune import FIELDS, Tune, TuneFields, check, check_field_names, from_checked

__all__ = [
    "FIELDS",
    "MC_PER_DOLLAR",
    "SUBMIT_OPTIONS",
    "SUGGESTIONS",
    "WARNINGS",
    "Body",
    "Difference",
    "Encoding",
    "Estimate",
    "ImageRecord",
    "OnSent",
    "Pack",
    "PackPrompt",
    "Request",
    "Tune",
    "TuneFields",
    "address_remarks",
    "balance_text",
    "caption_remarks",
    "check",
    "check_field_names",
    "check_pack",
    "choose",
    "differences",
    "dollars",
    "encode",
    "encode_inspection",
    "estimate",
    "folder_remarks",
    "formerly_unsigned_addresses",
    "from_checked",
    "in_mc",
    "in_quotes",
    "opened",
    "pairs",
    "parameters",
    "problem_with_balance",
    "problem_with_rise",
    "unsigned_addresses",
]
