"""Thin Flink shells: read state, call one pure function, write state, yield."""
