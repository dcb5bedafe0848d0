# Makes golden.json: figures of R and of pROC that this package must reproduce.
#   Rscript golden.R > golden.json
# The clustered variance is Obuchowski's (Biometrics 1997), written here from the paper's double sums, not from midranks.
suppressMessages(library(pROC))

number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
field <- function(name, x) sprintf('"%s":%s', name, if (length(x) == 1) sprintf("%.17g", x) else number(x))
object <- function(...) { x <- list(...); paste0("{", paste(mapply(field, names(x), x), collapse = ","), "}") }

obuchowski <- function(y, base, head, group) {
  psi <- function(a, b) (a > b) + 0.5 * (a == b)
  part <- function(s) {
    p <- s[y == 1]; q <- s[y == 0]
    v <- outer(p, q, psi)
    list(auc = mean(v), v10 = rowMeans(v), v01 = colMeans(v))
  }
  b <- part(base); h <- part(head)
  gp <- group[y == 1]; gq <- group[y == 0]
  all <- sort(unique(group)); G <- length(all); m <- sum(y == 1); n <- sum(y == 0)
  per <- function(v, g) sapply(all, function(k) sum(v[g == k]))
  d10 <- per(h$v10 - h$auc, gp) - per(b$v10 - b$auc, gp)
  d01 <- per(h$v01 - h$auc, gq) - per(b$v01 - b$auc, gq)
  s10 <- G / ((G - 1) * m) * sum(d10^2)
  s01 <- G / ((G - 1) * n) * sum(d01^2)
  s11 <- G / (G - 1) * sum(d10 * d01)
  s10 / m + s01 / n + 2 * s11 / (m * n)
}

compare <- function(n, groups, digits, rate) {
  y <- rbinom(n, 1, rate)
  base <- round(y * 0.8 + rnorm(n), digits)
  head <- round(y * 1.1 + 0.5 * base + rnorm(n), digits)
  group <- rep(seq_len(groups) - 1, length.out = n)
  r1 <- roc(y, base, quiet = TRUE, direction = "<", levels = c(0, 1))
  r2 <- roc(y, head, quiet = TRUE, direction = "<", levels = c(0, 1))
  t <- roc.test(r2, r1, method = "delong", paired = TRUE)
  clustered <- obuchowski(y, base, head, group)
  object(y = y, base = base, head = head, group = group, groups = groups, auc_base = as.numeric(auc(r1)), auc_head = as.numeric(auc(r2)),
    z = unname(t$statistic), p = t$p.value, low = t$conf.int[1], high = t$conf.int[2], clustered = clustered,
    unpaired = obuchowski(y, rep(0, n), head, group))
}

mcnemar <- function(b, c) {
  exact <- b + c < 25
  p <- if (exact) binom.test(b, b + c)$p.value else mcnemar.test(matrix(c(50, b, c, 50), 2))$p.value
  object(base = b, head = c, p = p)
}

wilson <- function(k, n) {
  i <- prop.test(k, n, correct = FALSE)$conf.int
  object(k = k, n = n, low = i[1], high = i[2])
}

set.seed(20010630)
p <- c(1e-6, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999)
df <- c(1, 2, 5, 19, 59, 299, 29999)
t <- c(0, 0.1, 1.5, 2.1, 4, 9)
cat("{", '"made_with":"', R.version.string, ", pROC ", as.character(packageVersion("pROC")), '",\n', sep = "")
cat('"delong":[', paste(c(compare(40, 20, 0, 0.5), compare(200, 25, 6, 0.3), compare(300, 50, 1, 0.15)), collapse = ",\n"), "],\n")
cat('"mcnemar":[', paste(mcnemar(5, 1), mcnemar(12, 12), mcnemar(0, 7), mcnemar(15, 10), mcnemar(59, 121), mcnemar(46, 35), sep = ","), "],\n")
cat('"wilson":[', paste(wilson(8, 10), wilson(0, 12), wilson(54, 1000), wilson(7, 7), sep = ","), "],\n")
cat('"normal":', object(p = p, quantile = qnorm(p)), ",\n")
cat('"student":[', paste(sapply(df, function(d) object(df = d, p = p, quantile = qt(p, d), t = t, two_sided = 2 * pt(-t, d))), collapse = ",\n"), "]}\n")
