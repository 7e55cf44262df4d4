"""The columns of rows: one Arrow schema each, so that frames concatenate."""

from __future__ import annotations

import pyarrow as pa

from astria_nb.utils.json_values import IDS, TEXTS
from astria_nb.utils.times import TIME

# The columns of every row, in this order: the most useful ones, our own, and then the other documented ones
# (astria-api, section 6), which only some replies have.
TUNE_SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "title": pa.string(),
        "name": pa.string(),
        "pack": pa.int64(),
        "status": pa.string(),
        "eta": TIME,
        "started_training_at": TIME,
        "trained_at": TIME,
        "expires_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "failed_at": TIME,
        "url": pa.string(),
        "orig_images": TEXTS,
        "image_sha256": TEXTS,
        "encoding": pa.string(),
        "tune_ids": IDS,
        "prompt_ids": IDS,
        "service": pa.string(),
        "account": pa.string(),
        "characteristics": pa.string(),
        "callback": pa.string(),
        "prompts_callback": pa.string(),
        "base_pack_id": pa.int64(),
        "base_tune_id": pa.int64(),
        "model_type": pa.string(),
        "branch": pa.string(),
        "token": pa.string(),
        "args": pa.string(),
        "steps": pa.int64(),
        "face_crop": pa.bool_(),
        "training_face_correct": pa.bool_(),
        "auto_extend": pa.bool_(),
        "is_api": pa.bool_(),
        "cost_mc": pa.int64(),
        "ckpt_url": pa.string(),
        "ckpt_urls": TEXTS,
    }
)
PROMPT_SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "text": pa.string(),
        "images": TEXTS,
        "status": pa.string(),
        "user_error": pa.string(),
        "tune_id": pa.int64(),
        "base_tune_id": pa.int64(),
        "base_pack_id": pa.int64(),
        "service": pa.string(),
        "account": pa.string(),
        "orig_prompt_id": pa.int64(),
        "started_training_at": TIME,
        "trained_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "negative_prompt": pa.string(),
        "callback": pa.string(),
        "num_images": pa.int64(),
        "seed": pa.int64(),
        "steps": pa.int64(),
        "cfg_scale": pa.float64(),
        "w": pa.int64(),
        "h": pa.int64(),
        "liked": pa.bool_(),
        "cost_mc": pa.int64(),
        "url": pa.string(),
    }
)
# Columns that the service does not return; a poll must not lose them. ``service`` and ``account`` are spelled
# as in the experiment log, which tells accounts apart by them.
OWN_COLUMNS = ("pack", "encoding", "image_sha256", "tune_ids", "prompt_ids", "service", "account")
# The columns that the experiment log adds, at the end of its rows.
LOG_SCHEMA = pa.schema(
    {
        "submission": pa.int64(),
        "service": pa.string(),
        "account": pa.string(),
        "state": pa.string(),
        "planned_at": TIME,
        "problem": pa.string(),
    }
)
# The user's labels of a submission: the last columns of the experiment log's rows.
LABEL_SCHEMA = pa.schema({"tags": TEXTS, "note": pa.string(), "hidden": pa.bool_()})
