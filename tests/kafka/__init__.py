"""Tests on Apache Kafka."""
