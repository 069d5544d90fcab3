"""Tables of what is learnt: checkpoints, the stages of their life, and how well they do."""

import pyarrow as pa

from sm_platform.schema.tables import Column, Table, flag, moment, number, text, whole

CHECKPOINT = text("checkpoint_id", "folder name in the model store")
REFERENCE = "what the figures compare with: product, model, in_situ or simulated"
TEXTS = pa.list_(pa.string())

CHECKPOINTS = Table(
    "checkpoints",
    "Checkpoints of a region; the day is the cut-off: no label of that day or later was used",
    ("checkpoint_id",),
    (
        CHECKPOINT,
        text("checkpoint_fingerprint", "hash over weights and recipe"),
        text("kind", "densesm or trees"),
        text("profile", "recommended, parity, trees or imported"),
        text("recipe_id", "recipe of its rows"),
        text("recipe_fingerprint", "fingerprint of that recipe"),
        whole("n_members", "estimators in the ensemble"),
        whole("n_samples", "training rows; null when imported", is_nullable=True),
        text(
            "samples_fingerprint",
            "hash over rows, labels and roles; null when imported",
            is_nullable=True,
        ),
        text("scheme", "split whose roles were used; null when imported", is_nullable=True),
        whole("seed", "seed of the training; null when imported", is_nullable=True),
        text(
            "parent_id",
            "checkpoint whose weights it started from; null when from none",
            is_nullable=True,
        ),
        Column("label_sources", TEXTS, "", "label sources it learned from", is_nullable=True),
        Column("licences", TEXTS, "", "of its labels and of the weights it started from"),
        text("code_version", "version of the platform"),
        text(
            "reference",
            REFERENCE,
            is_nullable=True,
        ),
        number("rmse_m3m3", "m3/m3", "root mean square error on blocks not trained on", 0, 1),
        number("bias_m3m3", "m3/m3", "mean error on blocks not trained on", -1, 1),
        number("r", "1", "correlation on blocks not trained on", -1, 1),
    ),
)

CHECKPOINT_STAGES = Table(
    "checkpoint_stages",
    "Stages of a region's checkpoints; the day is the cut-off, the newest row of an id counts",
    ("checkpoint_id", "changed_utc"),
    (
        CHECKPOINT,
        moment("changed_utc", "when the stage was given"),
        text("stage", "candidate, accepted or retired"),
        text("decided_by", "gate or person"),
        text("reason", "verdict of the gate, or what the person said"),
    ),
)

EVALUATIONS = Table(
    "evaluations",
    "How well a checkpoint and its baselines do on rows not used for it; the day is the cut-off",
    (
        "checkpoint_id",
        "estimator",
        "scheme",
        "reference",
        "source",
        "stratum",
        "stratum_value",
        "pooling",
        "metric",
    ),
    (
        text("checkpoint_id", "checkpoint that was judged"),
        text(
            "estimator",
            "what was scored: checkpoint, start, accepted:ID, or a baseline: site_mean, "
            "climatology, boosted_trees, product:SOURCE at the cell, label:SOURCE itself",
        ),
        text("scheme", "split whose test rows were used: block, time, block_time, region, random"),
        text("reference", REFERENCE),
        text("source", "label source compared with; archive where the reference is simulated"),
        text(
            "stratum",
            "all, moisture, land_cover, season, track, inundation, label_source, "
            "surroundings (of product labels: those beside flooded fields are not in all)",
        ),
        text("stratum_value", "which one; all where there is one"),
        text("pooling", "site (per site over time, then averaged), pooled, or spatial_9km"),
        text(
            "metric",
            "rmse, bias, ubrmse, r, anomaly_r, kge; rmse_difference: the checkpoint's less its",
        ),
        text("unit", "m3/m3 or 1"),
        number("value", "1", "the score, in its unit; null when it cannot be told"),
        number("low", "1", "lower end of its 95 % interval by resampling blocks; null with few"),
        number("high", "1", "upper end of that interval"),
        whole("n", "pairs"),
        whole("n_sites", "sites"),
        whole("n_blocks", "3 km blocks that were resampled"),
        flag("is_comparison_only", "rows of one site on both sides: never to be judged by"),
    ),
)
