import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The bundle goes to `dist/app`; the api serves it. It has no inline part, as the page's policy forbids that. */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  resolve: { conditions: ['@ariftly/source', 'browser', 'module', 'import'] },
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  clearScreen: false,
  logLevel: 'warn',
})
