//! Examples of memlens: see the files beside this one.
