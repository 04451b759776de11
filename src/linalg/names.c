#include "tutti/linalg.h"

const char *const tutti_activation_names[TUTTI_N_ACTIVATIONS] = {
#define X(code, name) name,
    TUTTI_ACTIVATION_LIST(X)
#undef X
};

const char *const tutti_loss_names[TUTTI_N_LOSSES] = {
#define X(code, name) name,
    TUTTI_LOSS_LIST(X)
#undef X
};
