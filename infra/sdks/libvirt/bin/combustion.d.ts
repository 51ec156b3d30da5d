import * as pulumi from "@pulumi/pulumi";
export declare class Combustion extends pulumi.CustomResource {
    /**
     * Get an existing Combustion resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: CombustionState, opts?: pulumi.CustomResourceOptions): Combustion;
    /**
     * Returns true if the given object is an instance of Combustion.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is Combustion;
    readonly combustionId: pulumi.Output<string>;
    readonly content: pulumi.Output<string>;
    readonly name: pulumi.Output<string>;
    readonly pool: pulumi.Output<string | undefined>;
    /**
     * Create a Combustion resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: CombustionArgs, opts?: pulumi.CustomResourceOptions);
}
/**
 * Input properties used for looking up and filtering Combustion resources.
 */
export interface CombustionState {
    combustionId?: pulumi.Input<string | undefined>;
    content?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    pool?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a Combustion resource.
 */
export interface CombustionArgs {
    combustionId?: pulumi.Input<string | undefined>;
    content: pulumi.Input<string>;
    name?: pulumi.Input<string | undefined>;
    pool?: pulumi.Input<string | undefined>;
}
