/** Position token of the header `mr.pos`: compares bytewise in source order. */
export type Position = string & { readonly brand: 'Position' };

/** Where a source continues: opaque, kept in the checkpoint, has no order. */
export type ResumePoint = string & { readonly brand: 'ResumePoint' };
