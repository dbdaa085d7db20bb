"""torch.backends' switches: programs set them before they train. They keep what they are given and change nothing."""

from . import cuda as cuda
from . import cudnn as cudnn
from . import mkldnn as mkldnn
from . import mps as mps
from . import openmp as openmp
