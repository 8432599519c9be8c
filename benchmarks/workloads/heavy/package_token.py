"""Replaced in every package that the benchmarks build."""

TOKEN = ""
