# Counts of reporting stations as a Poisson regression, glm() of base R.
source("code/features.R")
train <- read.csv(Sys.getenv("PLUMB_TRAIN"))
valid <- read.csv(Sys.getenv("PLUMB_VALID"))

model <- glm(formula_of("label"), family = poisson, data = train)
print(summary(model))
error <- predict(model, valid, type = "response") - valid$label
cat("valid rmse", format(sqrt(mean(error^2)), digits = 15), "\n")

saveRDS(model, file.path(Sys.getenv("PLUMB_OUT"), "model", "model.rds"))
