# Writes data/quakes.csv: 1,000 earthquakes off Fiji (Harvard PRIM-H), which R ships.
write.csv(cbind(quake = seq_len(nrow(quakes)), quakes), "data/quakes.csv", row.names = FALSE)
