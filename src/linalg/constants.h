#pragma once
/** Numbers that define activations. */

// Klambauer et al., "Self-normalizing neural networks", 2017: the fixed point of mean 0 and variance 1.
#define TUTTI_SELU_ALPHA 1.6732632423543772848170429916717
#define TUTTI_SELU_SCALE 1.0507009873554804934193349852946

#define TUTTI_LEAKY_SLOPE  0.2
#define TUTTI_SQRT_HALF    0.70710678118654752440084436210485
#define TUTTI_INV_SQRT_2PI 0.39894228040143267793994605993438
