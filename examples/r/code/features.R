# The features of the experiment as a formula. PLUMB_FEATURES is a JSON list of names, and base R reads no JSON.
formula_of <- function(label) {
  names <- regmatches(Sys.getenv("PLUMB_FEATURES"), gregexpr("[A-Za-z_][A-Za-z0-9_]*", Sys.getenv("PLUMB_FEATURES")))[[1]]
  reformulate(names, label)
}
