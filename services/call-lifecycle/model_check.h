/* What must always hold in a model: used by tests after every entry, and now and then at run time.
 */
#ifndef LIFECYCLE_MODEL_CHECK_H
#define LIFECYCLE_MODEL_CHECK_H

#include "model.h"

/* Returns the number of faults; each is appended to faults_r as a line. */
size_t model_check(const struct model *model, struct buffer *faults_r);

#endif
