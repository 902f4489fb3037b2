import type { Federation } from '../scenarios/scenario.ts'
import { greyImages } from './grey-images.ts'
import type { DataLibrary, Original } from './library.ts'

const original = (file: string, sha256: string): Original => ({
  folder: 'fashion-mnist',
  file,
  sha256,
  url: `http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/${file}.gz`,
  installed: ['/usr/share/datasets/fashion-mnist'], // Debian's dataset-fashion-mnist
  byHand: `Install Debian's package dataset-fashion-mnist, or download http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/${file}.gz`,
})

const FILES = {
  train: {
    images: original('train-images-idx3-ubyte', 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888'),
    labels: original('train-labels-idx1-ubyte', 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9'),
  },
  test: {
    images: original('t10k-images-idx3-ubyte', '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b'),
    labels: original('t10k-labels-idx1-ubyte', '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'),
  },
}

const CLASSES = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']

/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, MIT licence): 70,000 grey images of clothes, 28 x 28 x 1, divided by 255. */
export async function fashionMnist(library: DataLibrary): Promise<Federation> {
  const part = async ({ images, labels }: (typeof FILES)['train']) =>
    greyImages(await library.read(images), await library.read(labels))
  return { train: await part(FILES.train), test: await part(FILES.test), classNames: CLASSES }
}
