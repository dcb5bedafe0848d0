# Scores rows: Rscript predict.R ROWS SCORES MODEL.
args <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(args[1])
model <- readRDS(file.path(args[3], "model.rds"))
scores <- data.frame(row_id = rows$row_id, score = predict(model, rows, type = "response"))
write.csv(scores, args[2], row.names = FALSE)
