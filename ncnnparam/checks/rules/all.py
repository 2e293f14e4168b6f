"""All rules that need nothing but a graph, by code."""

from __future__ import annotations

from ncnnparam.checks.rule import Rule
from ncnnparam.checks.rules import counts, layers, links, names, numbers, ops, params, splits, text

RULES: tuple[Rule, ...] = (
    text.syntax,
    text.magic,
    numbers.junk_number,
    text.continued_params,
    params.param_id,
    numbers.long_number,
    params.string_value,
    params.short_quoted_string,
    params.quoted_before_crlf,
    text.tab_separator,
    numbers.new_style_array,
    numbers.mixed_array,
    params.repeated_param,
    text.trailing_content,
    numbers.int_for_float_key,
    params.feature_mask,
    counts.layer_count,
    counts.blob_count,
    names.duplicate_layer_name,
    names.duplicate_blob_name,
    links.undefined_input,
    links.input_order,
    links.missing_split,
    links.dangling_blob,
    splits.unused_split_output,
    splits.single_output_split,
    layers.arity,
    layers.shape_hint,
    layers.leftover_op,
    layers.unknown_type,
    ops.outdated_layer,
    ops.unknown_param,
    ops.param_type,
    ops.param_demand,
)
