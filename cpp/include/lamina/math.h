// lamina's own mathematics: exp, log, sin, tanh, erf, pow ... for float, double and SIMD registers of them. At most 2
// ULP in float, a few in double, over the whole domain; the same bits for scalars, at every SIMD level and on CUDA.
#pragma once
#include "lamina/math_base.h"
#include "lamina/math_div.h"
#include "lamina/math_erf.h"
#include "lamina/math_exp.h"
#include "lamina/math_gelu.h"
#include "lamina/math_trig.h"
