#!/bin/sh
# Removes from installed packages what no step ever opens: their tests, sources of compiled parts, Arrow's own network
# clients (the store is reached through s3fs), and the descriptions of Amazon's services other than S3 and its logins.
# The metadata of every package stays, so that a scanner can list what is installed.
# Usage: sh trim.sh SITE_PACKAGES
set -eu
cd "$1"
find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.pxi' -o -name '*.h' -o -name '*.hpp' \
    -o -name '*.c' -o -name '*.cpp' \) -delete
rm -rf pyarrow/include pyarrow/src pyarrow/libarrow_flight* pyarrow/_flight* pyarrow/libarrow_python_flight* \
    pyarrow/libarrow_s3* pyarrow/_s3fs* matplotlib/mpl-data/sample_data
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -rf {} +
