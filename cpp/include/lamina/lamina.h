// Everything a program that embeds lamina needs.
#pragma once
#include "lamina/autograd.h"
#include "lamina/ops.h"
#include "lamina/optim.h"
#include "lamina/random.h"
#include "lamina/tensor.h"
