package learn

import (
	"context"
	"errors"

	"github.com/plumb-ml/plumb/internal/model"
)

func trainGLM(ctx context.Context, job *Job, p map[string]float64) (model.Model, error) {
	return nil, errors.New("soon")
}
