//! Sums, differences and products of whole numbers that leave 64 bits are errors, as in `PostgreSQL`; left to itself
//! the engine would go on with what is left of them.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

/// The rule: before any other one, so that all expressions stand in projections still.
#[derive(Debug)]
pub(super) struct Checked;

impl PhysicalOptimizerRule for Checked {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
                return Ok(Transformed::no(plan));
            };
            let checked = projection.expr().iter().map(|one| {
                let expr = checked(Arc::clone(&one.expr))?;
                Ok(ProjectionExpr { expr, alias: one.alias.clone() })
            });
            let checked: Vec<ProjectionExpr> = checked.collect::<Result<_>>()?;
            let again = ProjectionExec::try_new(checked, Arc::clone(projection.input()))?;
            Ok(Transformed::yes(Arc::new(again) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "checked arithmetic"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn checked(expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    expr.transform_up(|expr| {
        let Some(binary) = expr.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(expr)) };
        let again = binary.clone().with_fail_on_overflow(true);
        Ok(Transformed::yes(Arc::new(again) as Arc<dyn PhysicalExpr>))
    })
    .data()
}
