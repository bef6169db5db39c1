//! Decompressors.
