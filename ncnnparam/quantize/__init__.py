"""Quantisation: tables of scales, calibration on data, and int8 models."""
